// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Governable} from "./base/Governable.sol";
import {Thermostat} from "./Thermostat.sol";

/// Turns the energy balance of an epoch into a budget and shares it among four roles. Not pausable: the brake is
/// `setSettler(address, false)`.
contract RewardEngineMB is Governable {
    int256 private constant UNIT = 1e18;
    uint8 private constant ROLES = 4;

    Thermostat public thermostat;
    address public feePool;
    address public treasury;
    uint256 public kappa;
    uint256 public maxProofs;
    int256 public temperature;
    uint256 public latestEpoch;
    mapping(uint8 => uint256) public roleShare;
    mapping(uint8 => int256) public mu;
    mapping(uint8 => int256) public baselineEnergy;
    mapping(uint8 => uint256) public credited;
    mapping(address => bool) public settlers;
    mapping(uint256 => bool) public epochSettled;

    event EpochSettled(
        uint256 indexed epoch, uint256 budget, int256 dH, int256 dS, int256 systemTemperature, uint256 dust
    );
    event RewardBudget(uint256 indexed epoch, uint256 budget, uint256 dust);
    event KappaUpdated(uint256 newKappa);
    event TreasuryUpdated(address indexed treasury);
    event RoleShareUpdated(uint8 indexed role, uint256 share);
    event MuUpdated(uint8 indexed role, int256 value);
    event BaselineEnergyUpdated(uint8 indexed role, int256 value);
    event SettlerUpdated(address indexed settler, bool allowed);
    event MaxProofsUpdated(uint256 maxProofs);
    event ThermostatUpdated(address indexed thermostat);
    event FallbackTemperatureUpdated(int256 temperature);

    error NotSettler(address caller);
    error AlreadySettled(uint256 epoch);
    error ProofCountExceeded(uint256 count, uint256 maxProofs);
    error InvalidRoleShareSum(uint256 sum);

    constructor(
        address governance_,
        Thermostat thermostat_,
        address feePool_,
        address treasury_,
        uint256 kappa_,
        uint256 maxProofs_,
        int256 temperature_,
        uint256[4] memory shares
    ) Governable(governance_) {
        thermostat = thermostat_;
        feePool = feePool_;
        treasury = treasury_;
        kappa = kappa_;
        maxProofs = maxProofs_;
        temperature = temperature_;
        _setShares(shares);
    }

    /// Budget = kappa times the free energy set free, -(dH - T dS). What rounding leaves is dust.
    function settleEpoch(uint256 epoch, int256 dH, int256 dS, uint256 proofs) external {
        if (!settlers[msg.sender]) revert NotSettler(msg.sender);
        if (epochSettled[epoch]) revert AlreadySettled(epoch);
        if (proofs > maxProofs) revert ProofCountExceeded(proofs, maxProofs);
        epochSettled[epoch] = true;
        if (epoch > latestEpoch) latestEpoch = epoch;
        int256 temp = address(thermostat) == address(0) ? temperature : thermostat.systemTemperature();
        int256 free = -(dH - (temp * dS) / UNIT);
        uint256 budget = free > 0 ? (kappa * uint256(free)) / uint256(UNIT) : 0;
        uint256 dust = _credit(budget);
        emit EpochSettled(epoch, budget, dH, dS, temp, dust);
        emit RewardBudget(epoch, budget, dust);
    }

    function setKappa(uint256 value) external onlyGovernance {
        kappa = value;
        emit KappaUpdated(value);
    }

    function setMaxProofs(uint256 value) external onlyGovernance {
        maxProofs = value;
        emit MaxProofsUpdated(value);
    }

    function setTreasury(address value) external onlyGovernance {
        treasury = value;
        emit TreasuryUpdated(value);
    }

    function setTemperature(int256 value) external onlyGovernance {
        temperature = value;
        emit FallbackTemperatureUpdated(value);
    }

    function setThermostat(Thermostat value) external onlyGovernance {
        thermostat = value;
        emit ThermostatUpdated(address(value));
    }

    function setRoleShares(uint256 agent, uint256 validator, uint256 operator, uint256 employer)
        external
        onlyGovernance
    {
        _setShares([agent, validator, operator, employer]);
    }

    function setMu(uint8 role, int256 value) external onlyGovernance {
        mu[role] = value;
        emit MuUpdated(role, value);
    }

    function setBaselineEnergy(uint8 role, int256 value) external onlyGovernance {
        baselineEnergy[role] = value;
        emit BaselineEnergyUpdated(role, value);
    }

    function setSettler(address settler, bool allowed) external onlyGovernance {
        settlers[settler] = allowed;
        emit SettlerUpdated(settler, allowed);
    }

    function _credit(uint256 budget) private returns (uint256 dust) {
        dust = budget;
        for (uint8 role = 0; role < ROLES; role++) {
            uint256 part = (budget * roleShare[role]) / uint256(UNIT);
            credited[role] += part;
            dust -= part;
        }
    }

    function _setShares(uint256[4] memory shares) private {
        uint256 sum = shares[0] + shares[1] + shares[2] + shares[3];
        if (sum != uint256(UNIT)) revert InvalidRoleShareSum(sum);
        for (uint8 role = 0; role < ROLES; role++) {
            roleShare[role] = shares[role];
            emit RoleShareUpdated(role, shares[role]);
        }
    }
}
